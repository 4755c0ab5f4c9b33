"""Makes the local cloud from template.yaml: translate it, evaluate it for a Region, deploy it."""
