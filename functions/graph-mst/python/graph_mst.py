"""The minimum spanning tree of a graph that is made for each request, as SeBS's graph-mst."""

import igraph

import graph_mst_pb2
import inputs
import server

SIZES = {"small": 200, "medium": 2000, "large": 10000}


def get_mst(request, context):
    size, nodes = inputs.choose(request.name, SIZES, context)
    edges = inputs.edges(nodes)
    graph = igraph.Graph(nodes, edges)
    graph.es["weight"] = inputs.weights(len(edges))
    tree = graph.spanning_tree(graph.es["weight"])
    return graph_mst_pb2.Reply(
        message=f"fn: GraphMST | graph: {size} | edges: {tree.ecount()} | weight: {sum(tree.es['weight'])} | runtime: python"
    )


server.serve("graph-mst-python", server.arguments("graph-mst-python").addr, graph_mst_pb2, get_mst)
