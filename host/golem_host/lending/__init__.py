"""
Interfaces of an embedder: any Python object, offered to guests as a durable import.

`declaring` is what an embedder writes above methods, `call` what a method may ask about the call it
answers, `annotations` holds type annotations against WIT types, `functions` makes host functions of
all that, and `skeleton` prints classes to begin with.
"""
