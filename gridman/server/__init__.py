"""The street server's front door: HTTP over the services. It knows no rule of the trade and never opens the store itself."""
