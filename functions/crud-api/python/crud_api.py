"""Shopping carts in a data base: after SeBS's crud-api, with Redis instead of DynamoDB. Each request puts items into its cart,
gets one of them, and asks for all that are in it. What a request puts is there already: the data base stays as it was seeded."""

import json
import zlib

import redis

import crud_api_pb2
import inputs
import server

NAME = "crud-api-python"
SIZES = {"small": (10, 1), "medium": (100, 5), "large": (1000, 20)}  # items in the cart, of which so many are put again


def items(count):
    """By their number: what is in a cart."""
    random = inputs.numbers()
    return {
        str(product): json.dumps({"product": product, "price": next(random) % 10000, "quantity": next(random) % 9 + 1})
        for product in range(count)
    }


CARTS = {size: items(count) for size, (count, _) in SIZES.items()}


def handle(request, context):
    size, (count, puts) = inputs.choose(request.name, SIZES, context)
    cart = f"cart:{size}"
    for product in map(str, range(puts)):
        DATABASE.hset(cart, product, CARTS[size][product])
    one = json.loads(DATABASE.hget(cart, str(count // 2)))
    found = sorted((json.loads(item) for item in DATABASE.hvals(cart)), key=lambda item: item["product"])
    total = sum(item["price"] * item["quantity"] for item in found)
    sum_of_prices = zlib.crc32(" ".join(str(item["price"]) for item in found).encode())
    return crud_api_pb2.Reply(
        message=f"fn: CrudApi | cart: {size} | items: {len(found)} | one: {one['quantity']} at {one['price']} | "
        f"total: {total} | crc32: {sum_of_prices:08x} | runtime: python"
    )


options = server.arguments(NAME, redis="localhost:6379")
host, _, port = options.redis.rpartition(":")
DATABASE = redis.Redis(host, int(port), socket_timeout=10)
try:
    for size, cart in CARTS.items():
        DATABASE.hset(f"cart:{size}", mapping=cart)
except redis.RedisError as error:
    server.fail(NAME, f"no carts in {options.redis}: {error}")
server.serve(NAME, options.addr, crud_api_pb2, handle)
