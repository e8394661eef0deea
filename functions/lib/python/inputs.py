"""Inputs of three sizes, the same each time, and everywhere."""

import itertools

import grpc


def choose(name, sizes, context):
    """The name of a size, and what it means. No name, or that of a greeting: small."""
    name = "small" if name.lower() in ("", "world") else name
    if name not in sizes:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"no input is named {name}: there are {', '.join(sizes)}")
    return name, sizes[name]


def numbers():
    """Random numbers from 1 to 2^31 - 2: Lehmer's generator with Park and Miller's second multiplier."""
    number = 1
    while True:
        number = number * 48271 % 2147483647
        yield number


def text(size):
    """So many bytes of words, of which the shorter are the more frequent."""
    words = (b"%x " % (number >> 11 + number % 16) for number in numbers())
    return b"".join(itertools.islice(words, size))[:size]


def bases(count):
    """A DNA sequence."""
    return "".join("ACGT"[number % 4] for number in itertools.islice(numbers(), count))


def edges(nodes):
    """A graph in which each node is linked to four that come before it, some of them twice."""
    random = numbers()
    return [(node, next(random) % node) for node in range(1, nodes) for _ in range(4)]


def weights(count):
    """Of its edges: from 1 to 1000."""
    return [number % 1000 + 1 for number in itertools.islice(numbers(), count)]


def places(count):
    """Of hotels: metres to the east and to the north, in a square of 10 km."""
    random = numbers()
    return [(next(random) % 10000, next(random) % 10000) for _ in range(count)]


def prices(count):
    """Of a night in each of them: from 50 to 449."""
    return [number % 400 + 50 for number in itertools.islice(numbers(), count)]


def pixels(width, height):
    """An image in RGB, line by line."""
    return bytes(value & 255 for y in range(height) for x in range(width) for value in (3 * x ^ 5 * y, x + y, x * y))
