"""The desk: one window on the register, in Qt. Nothing below this storey knows that there are windows."""
