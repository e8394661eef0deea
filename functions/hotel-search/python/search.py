"""Hotels near a place, and what they cost: vSwarm's hotel application. Search asks geo for the hotels, then rate for the prices."""

import hotel_search_pb2
import inputs
import server

NAME = "hotel-search-python"
SIZES = {"small": (2500, 2500, 5), "medium": (5000, 5000, 20), "large": (7500, 2500, 100)}  # east, north, hotels


def nearby(request, context):
    size, (east, north, most) = inputs.choose(request.name, SIZES, context)
    hotels = GEO(hotel_search_pb2.Place(east=east, north=north, most=most))
    prices = RATE(hotels).prices
    price, cheapest = min(zip(prices, hotels.ids))
    return hotel_search_pb2.Reply(
        message=f"fn: HotelSearch | search: {size} | hotels: {len(hotels.ids)} | nearest: {hotels.ids[0]} | "
        f"cheapest: {cheapest} at {price} | total: {sum(prices)} | runtime: python"
    )


options = server.arguments(NAME, geo="localhost:8083", rate="localhost:8084")
GEO = server.remote(options.geo, hotel_search_pb2, "Geo")
RATE = server.remote(options.rate, hotel_search_pb2, "Rate")
server.serve(NAME, options.addr, hotel_search_pb2, nearby, "HotelSearch")
