"""Source lines of the user's code, for findings."""

from __future__ import annotations

import linecache
import os
import sys
from types import CodeType, TracebackType

import torch

_TORCH = os.path.dirname(os.path.abspath(torch.__file__)) + os.sep
_READER = f"{os.sep}onnx2torch{os.sep}"
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def is_user_file(file: str) -> bool:
    """Whether a file is the user's: not of torch, of this package or of onnx2torch, and not code made at run time."""
    return not file.startswith((_TORCH, _OURS, "<")) and _READER not in file


def _is_user(code: CodeType) -> bool:
    return is_user_file(code.co_filename)


def shown_line(file: str, number: int) -> str:
    """`file:line: code`."""
    text = linecache.getline(file, number).strip()
    return f"{file}:{number}: {text}" if text else f"{file}:{number}"


def user_line(outermost: CodeType) -> str:
    """`file:line: code` of the innermost frame of the user's code, '' if there is none within `outermost`.

    A module that nn.Sequential calls gets the line where the user called the Sequential.
    """
    frame = sys._getframe(1)
    while frame.f_code is not outermost and frame.f_back is not None:
        if _is_user(frame.f_code):
            return shown_line(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return ""


def raising_line(traceback: TracebackType | None, outermost: CodeType) -> str:
    """`file:line: code` of the innermost user frame behind `outermost` in a traceback."""
    found, inside = "", False
    while traceback is not None:
        code = traceback.tb_frame.f_code
        inside = inside or code is outermost
        if inside and _is_user(code):
            found = shown_line(code.co_filename, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found
