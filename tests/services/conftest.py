"""Fixtures of the services' tests."""

from tests.support.streets import town

__all__ = ["town"]
