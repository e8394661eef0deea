"""The x-th Fibonacci number by x additions of big integers, as vSwarm's."""

import re
import sys

import grpc

import fibonacci_pb2
import server

X_MAX = 1000000  # some seconds of work, a reply of 209 kB: no request shall keep the core for minutes
sys.set_int_max_str_digits(0)


def fibonacci(x):
    current, following = 0, 1
    for _ in range(x):
        current, following = following, current + following
    return current


def parse(text):
    """What is no whole number counts as 0, as in vSwarm's Go."""
    return max(int(text), -(2**63)) if re.fullmatch(r"[ \t\n\v\f\r]*[+-]?[0-9]+", text) else 0


def say_hello(request, context):
    x = parse(request.name)
    if x > X_MAX:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the function refused its input")
    return fibonacci_pb2.HelloReply(message=f"fn: Fib: y = fib(x) | x: {x} y: {fibonacci(x)} | runtime: python")


server.serve("fibonacci-python", server.arguments("fibonacci-python").addr, fibonacci_pb2, say_hello)
