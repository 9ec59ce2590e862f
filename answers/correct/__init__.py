"""What a correct answer costs, from one's own evaluation logs."""

from answers.correct.answer import CorrectError, correct
from answers.correct.record import Correct, Interval, Pair, RunCost, Spend, Way

__all__ = ["Correct", "CorrectError", "Interval", "Pair", "RunCost", "Spend", "Way", "correct"]
