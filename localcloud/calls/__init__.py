"""The way of an AWS call in the local cloud, and what makes it cheap."""
