"""Stages: installations in temporary folders, filled and served, for shots and browser tests."""

from tools.stage.opening import Address, Stage, StageFailed, open_stage
from tools.stage.probing import Answer

__all__ = ["Address", "Answer", "Stage", "StageFailed", "open_stage"]
