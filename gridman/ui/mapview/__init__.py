"""The live map: the page in a web view, its tiles from the local store, and nothing from outside this computer."""
