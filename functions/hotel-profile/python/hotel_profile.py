"""What is known of some hotels, through a cache: as vSwarm's profile. What memcached has not is made, as of a data base's row, and
put there. Every fourth hotel is taken out of the cache again, so that each request finds some there, and some not."""

import json
import zlib

import pymemcache

import hotel_profile_pb2
import inputs
import server

NAME = "hotel-profile-python"
SIZES = {"small": 5, "medium": 50, "large": 500}  # hotels
PLACES, PRICES = inputs.places(500), inputs.prices(500)


def profile(number):
    (east, north), price = PLACES[number], PRICES[number]
    return json.dumps(
        {
            "id": number,
            "name": f"Hotel {number}",
            "east": east,
            "north": north,
            "price": price,
            "description": f"{price} a night, {east} m to the east and {north} m to the north.",
        }
    ).encode()


def get_profiles(request, context):
    size, count = inputs.choose(request.name, SIZES, context)
    keys = [f"hotel:{number}" for number in range(count)]
    found = CACHE.get_many(keys)
    missing = {key: profile(number) for number, key in enumerate(keys) if key not in found}
    CACHE.set_many(missing)
    profiles = [found.get(key) or missing[key] for key in keys]
    CACHE.delete_many(keys[::4])
    everything = b"\n".join(profiles)
    return hotel_profile_pb2.Reply(
        message=f"fn: HotelProfile | hotels: {size} | profiles: {len(profiles)} | bytes: {len(everything)} | "
        f"crc32: {zlib.crc32(everything):08x} | runtime: python"
    )


options = server.arguments(NAME, memcached="localhost:11211")
CACHE = pymemcache.Client(options.memcached, timeout=10)
try:
    CACHE.set_many({f"hotel:{number}": profile(number) for number in range(500)})
except OSError as error:
    server.fail(NAME, f"no cache in {options.memcached}: {error}")
server.serve(NAME, options.addr, hotel_profile_pb2, get_profiles)
