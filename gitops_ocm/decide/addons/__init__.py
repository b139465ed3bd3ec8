"""Add-ons: on which clusters they are, and how they are seen to fare."""
