"""What a night in these hotels costs: vSwarm's rate, a service beside hotel-search."""

import hotel_search_pb2
import inputs
import server

PRICES = inputs.prices(1000)


def get_rates(request, context):
    return hotel_search_pb2.Rates(prices=[PRICES[number] for number in request.ids])


server.serve("hotel-rate", server.arguments("hotel-rate").addr, hotel_search_pb2, get_rates, "Rate")
