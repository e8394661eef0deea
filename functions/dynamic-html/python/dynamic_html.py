"""A web page from a template, as SeBS's dynamic-html."""

import itertools
import zlib

import jinja2

import dynamic_html_pb2
import inputs
import server

SIZES = {"small": 10, "medium": 100, "large": 1000}
PAGE = jinja2.Environment(autoescape=True).from_string("""<!DOCTYPE html>
<html>
  <head><title>Numbers for {{ user }}</title></head>
  <body>
    <p>Welcome, {{ user }}!</p>
    <ul>
    {%- for number in numbers %}
      <li class="{{ 'odd' if number % 2 else 'even' }}">{{ loop.index }}: {{ number }}</li>
    {%- endfor %}
    </ul>
  </body>
</html>
""")


def render(request, context):
    size, count = inputs.choose(request.name, SIZES, context)
    numbers = list(itertools.islice(inputs.numbers(), count))
    page = PAGE.render(user="Ada & Charles", numbers=numbers).encode()
    return dynamic_html_pb2.Reply(
        message=f"fn: DynamicHTML | page: {size} | bytes: {len(page)} | crc32: {zlib.crc32(page):08x} | runtime: python"
    )


server.serve("dynamic-html-python", server.arguments("dynamic-html-python").addr, dynamic_html_pb2, render)
