"""
A host in one thread, and a world around it that knows what must not happen.

`machine` is a computer that can stop at any operation of a log; `house` is the host on it; `guest`
is what its workers run, by scripts; `world` performs the effects of guests and judges them; `views`
reads logs without the host's own fold.
"""
