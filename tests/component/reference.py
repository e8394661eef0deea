"""What the functions with inputs of three sizes must answer, computed in another way than they do."""

import binascii
import collections
import math
import operator

SIZES = "small", "medium", "large"


def numbers(count):
    """Lehmer's generator: the k-th number is 48271^k modulo 2^31 - 1."""
    return [pow(48271, k, 2**31 - 1) for k in range(1, count + 1)]


def edges(nodes):
    random = iter(numbers(4 * nodes))
    return [(node, next(random) % node) for node in range(1, nodes) for _ in range(4)]


def neighbours(nodes):
    found = collections.defaultdict(list)
    for a, b in edges(nodes):
        found[a].append(b)
        found[b].append(a)
    return found


def compression(size):
    count = {"small": 16384, "medium": 131072, "large": 1048576}[size]
    text = b"".join(b"%x " % (number >> 11 + number % 16) for number in numbers(count))[:count]
    a, b = 1, 0
    for byte in text:
        a = (a + byte) % 65521
        b = (b + a) % 65521
    return f"CompressFile | file: {size} | original: {count} bytes, adler32: {b << 16 | a:08x} | compressed: "


def crud_api(size):
    count = {"small": 10, "medium": 100, "large": 1000}[size]
    random = numbers(2 * count)
    prices, quantities = [n % 10000 for n in random[::2]], [n % 9 + 1 for n in random[1::2]]
    return (
        f"CrudApi | cart: {size} | items: {count} | one: {quantities[count // 2]} at {prices[count // 2]} | "
        f"total: {sum(map(operator.mul, prices, quantities))} | crc32: {binascii.crc32(' '.join(map(str, prices)).encode()):08x} | "
    )


def nodes_of(size):
    return {"small": 200, "medium": 2000, "large": 10000}[size]


def graph_bfs(size):
    nodes, links = nodes_of(size), neighbours(nodes_of(size))
    level, seen, levels = [0], {0}, []
    while level:
        levels.append(level)
        level = sorted({b for a in level for b in links[a]} - seen)
        seen.update(level)
    return f"GraphBFS | graph: {size} | nodes: {nodes} | levels: {len(levels) - 1} | deepest: {len(levels[-1])} | "


def graph_mst(size):
    """Kruskal's."""
    nodes, links = nodes_of(size), edges(nodes_of(size))
    above = list(range(nodes))

    def root(node):
        while above[node] != node:
            above[node] = node = above[above[node]]
        return node

    weight = taken = 0
    for w, a, b in sorted((n % 1000 + 1, a, b) for n, (a, b) in zip(numbers(len(links)), links)):
        if root(a) != root(b):
            above[root(a)] = root(b)
            weight, taken = weight + w, taken + 1
    return f"GraphMST | graph: {size} | edges: {taken} | weight: {weight} | "


def graph_pagerank(size):
    """By iteration."""
    nodes, links = nodes_of(size), neighbours(nodes_of(size))
    ranks = [1 / nodes] * nodes
    for _ in range(60):
        ranks = [0.15 / nodes + 0.85 * sum(ranks[other] / len(links[other]) for other in links[node]) for node in range(nodes)]
    best = max(ranks)
    return f"GraphPageRank | graph: {size} | best: {ranks.index(best)} | score: {best:.5f} | "


def dna_visualisation(size):
    count = {"small": 1000, "medium": 5000, "large": 20000}[size]
    y, points = 0.0, [0.0]
    for base in ("ACGT"[number % 4] for number in numbers(count)):
        points.append(y + (0.5 if base in "AG" else -0.5))
        y += {"T": -1, "G": 1}.get(base, 0)
        points.append(y)
    whole = lambda value: f"{value:g}" if value == int(value) else f"{value}"
    return (
        f"DNAVisualisation | sequence: {size} | points: {2 * count + 1} | lowest: {whole(min(points))} | "
        f"highest: {whole(max(points))} | end: {whole(y)} | bytes: "
    )


def dynamic_html(size):
    lines = [
        f"""      <li class="{("even", "odd")[n % 2]}">{i}: {n}</li>"""
        for i, n in enumerate(numbers({"small": 10, "medium": 100, "large": 1000}[size]), 1)
    ]
    page = "\n".join(
        [
            "<!DOCTYPE html>",
            "<html>",
            "  <head><title>Numbers for Ada &amp; Charles</title></head>",
            "  <body>",
            "    <p>Welcome, Ada &amp; Charles!</p>",
            "    <ul>",
            *lines,
            "    </ul>",
            "  </body>",
            "</html>",
        ]
    )
    return f"DynamicHTML | page: {size} | bytes: {len(page)} | crc32: {binascii.crc32(page.encode()):08x} | "


def pixel(x, y):
    return bytes(((3 * x ^ 5 * y) & 255, (x + y) & 255, (x * y) & 255))


def hotels(count):
    """East, north, price of a night."""
    random = numbers(2 * count)
    return [(random[2 * i] % 10000, random[2 * i + 1] % 10000, random[i] % 400 + 50) for i in range(count)]


def hotel_profile(size):
    count = {"small": 5, "medium": 50, "large": 500}[size]
    text = "\n".join(
        f'{{"id": {i}, "name": "Hotel {i}", "east": {east}, "north": {north}, "price": {price}, '
        f'"description": "{price} a night, {east} m to the east and {north} m to the north."}}'
        for i, (east, north, price) in enumerate(hotels(count))
    )
    return f"HotelProfile | hotels: {size} | profiles: {count} | bytes: {len(text)} | crc32: {binascii.crc32(text.encode()):08x} | "


def hotel_search(size):
    """Hotels on circles that grow."""
    east, north, most = {"small": (2500, 2500, 5), "medium": (5000, 5000, 20), "large": (7500, 2500, 100)}[size]
    all_of_them = hotels(1000)
    distances = [math.dist((east, north), hotel[:2]) for hotel in all_of_them]
    radius = next(radius for radius in range(15000) if sum(distance <= radius for distance in distances) >= most)
    found = sorted((i for i in range(1000) if distances[i] <= radius), key=lambda i: distances[i])[:most]
    cheapest = min(found, key=lambda i: (all_of_them[i][2], i))
    return (
        f"HotelSearch | search: {size} | hotels: {most} | nearest: {found[0]} | cheapest: {cheapest} at "
        f"{all_of_them[cheapest][2]} | total: {sum(all_of_them[i][2] for i in found)} | "
    )


def image_rotate(size):
    width, height = {"small": (64, 48), "medium": (320, 240), "large": (640, 480)}[size]
    turned = b"".join(pixel(width - 1 - row, column) for row in range(width) for column in range(height))
    return f"ImageRotate | image: {size} | size: {height}x{width} | crc32: {binascii.crc32(turned):08x} | "


def rnn_serving(size):
    """With double precision, one neuron after the other."""
    languages = (
        "Arabic Chinese Czech Dutch English French German Greek Irish Italian Japanese Korean Polish Portuguese Russian "
        "Scottish Spanish Vietnamese"
    ).split()
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,;'-"
    language, count = {"small": ("French", 1), "medium": ("German", 5), "large": ("Russian", 20)}[size]
    hidden, ends = 128, len(letters)
    weights = iter([number / 2**30 - 1 for number in numbers(hidden * (len(languages) + ends + hidden + ends + 1))])
    matrix = lambda rows, columns: [[next(weights) * 3 / columns**0.5 for _ in range(columns)] for _ in range(rows)]
    by_language, by_letter = matrix(hidden, len(languages)), matrix(hidden, ends)
    by_hidden, out, names = matrix(hidden, hidden), matrix(ends + 1, hidden), []
    for start in (chr(ord("A") + i % 26) for i in range(count)):
        state, name = [0.0] * hidden, start
        while len(name) < 20:
            state = [
                math.tanh(
                    by_language[i][languages.index(language)]
                    + by_letter[i][letters.index(name[-1])]
                    + sum(map(operator.mul, by_hidden[i], state))
                )
                for i in range(hidden)
            ]
            scores = [sum(map(operator.mul, row, state)) for row in out]
            best = scores.index(max(scores))
            if best == ends:
                break
            name += letters[best]
        names.append(name)
    return f"RNN-Serving | language:{language}.n:{count} | output:{names} | "


def thumbnailer(size):
    return f"Thumbnailer | image: {size} | thumbnail: 128x96 | quarters: 612 152 216 663 | bytes: "


def video_processing(size):
    width, height, count = 160, 120, {"small": 2, "medium": 10, "large": 50}[size]
    grey = [bytes((299 * r + 587 * g + 114 * b) // 1000 for r, g, b in (pixel(x, y) for x in range(width))) for y in range(height)]
    checksum = 0
    for i in range(count):
        checksum = binascii.crc32(b"".join(grey[(y - i) % height] for y in range(height)), checksum)
    return f"VideoProcessing | video: {size} | frames: {count} | crc32: {checksum:08x} | "


FUNCTIONS = {
    function.__name__.replace("_", "-"): function
    for function in (
        compression,
        crud_api,
        dna_visualisation,
        dynamic_html,
        graph_bfs,
        graph_mst,
        graph_pagerank,
        hotel_profile,
        hotel_search,
        image_rotate,
        rnn_serving,
        thumbnailer,
        video_processing,
    )
}

if __name__ == "__main__":  # the client's table
    for name, function in FUNCTIONS.items():
        for size in SIZES:
            print(f'    {{"{name}", "{size}",\n     "{function(size)}"}},')
