"""What the comparisons with Python share."""

import random
import statistics


def interval(values) -> str:
    """Median with its 95 % interval by bootstrap."""
    generator = random.Random(0)
    medians = sorted(statistics.median(generator.choices(values, k=len(values))) for _ in range(2000))
    return f"{statistics.median(values):.3f} [{medians[50]:.3f}, {medians[1949]:.3f}]"
