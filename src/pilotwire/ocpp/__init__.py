"""The stations' edge. A frame walks through it in one direction:

gateway (socket) -> link (one station) -> codec (meaning) -> quirks -> handlers (decision) -> group-commit writer
-> answer -> bus.
"""
