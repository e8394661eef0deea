"""The PageRank of a graph that is made for each request, as SeBS's graph-pagerank."""

import igraph

import graph_pagerank_pb2
import inputs
import server

SIZES = {"small": 200, "medium": 2000, "large": 10000}


def get_page_rank(request, context):
    size, nodes = inputs.choose(request.name, SIZES, context)
    ranks = igraph.Graph(nodes, inputs.edges(nodes)).pagerank()
    best = max(range(nodes), key=ranks.__getitem__)
    return graph_pagerank_pb2.Reply(
        message=f"fn: GraphPageRank | graph: {size} | best: {best} | score: {ranks[best]:.5f} | runtime: python"
    )


server.serve("graph-pagerank-python", server.arguments("graph-pagerank-python").addr, graph_pagerank_pb2, get_page_rank)
