"""Losses over every pixel: logits (N, C, *spatial) against classes (N, *spatial) or shares (N, C, *spatial)."""
