"""Who reaches whom, how far it is, and what shipped code sends out besides AWS calls."""
