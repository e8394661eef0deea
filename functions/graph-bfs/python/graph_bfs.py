"""Breadth-first search in a graph that is made for each request, as vSwarm's and SeBS's graph-bfs."""

import igraph

import graph_bfs_pb2
import inputs
import server

SIZES = {"small": 200, "medium": 2000, "large": 10000}


def get_bfs(request, context):
    size, nodes = inputs.choose(request.name, SIZES, context)
    graph = igraph.Graph(nodes, inputs.edges(nodes))
    visited, starts, _ = graph.bfs(0)
    return graph_bfs_pb2.Reply(
        message=f"fn: GraphBFS | graph: {size} | nodes: {len(visited)} | levels: {len(starts) - 2} | "
        f"deepest: {starts[-1] - starts[-2]} | runtime: python"
    )


server.serve("graph-bfs-python", server.arguments("graph-bfs-python").addr, graph_bfs_pb2, get_bfs)
