"""AWS as Sidestep sees it, on one machine, in virtual or real time."""
