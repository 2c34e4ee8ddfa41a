"""Ending an invocation in a way that no code of the guest can prevent."""

from __future__ import annotations

import os
import sys
import traceback
from typing import NoReturn


def end_invocation(error: BaseException) -> NoReturn:
    """
    Fail here and now: the host sees a trap, with the traceback as its reason.

    Raising would not do: whoever catches the exception goes on with work that is half done.
    """
    sys.stdout.flush()
    traceback.print_exception(error)
    sys.stderr.flush()
    os.abort()
