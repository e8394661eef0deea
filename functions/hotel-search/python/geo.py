"""The hotels nearest to a place: vSwarm's geo, a service beside hotel-search."""

import heapq

import hotel_search_pb2
import inputs
import server

HOTELS = list(enumerate(inputs.places(1000)))


def nearest(request, context):
    def distance(hotel):
        number, (east, north) = hotel
        return (east - request.east) ** 2 + (north - request.north) ** 2, number

    return hotel_search_pb2.Hotels(ids=[number for number, _ in heapq.nsmallest(request.most, HOTELS, key=distance)])


server.serve("hotel-geo", server.arguments("hotel-geo").addr, hotel_search_pb2, nearest, "Geo")
