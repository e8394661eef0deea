// ruff where there is none on the PATH: Debian 12 has no package of it, npm has it as WebAssembly. From standard input
// {settings, format, files}; prints what it finds as ruff does, a line each. `format`: sorts imports and formats instead.
const fs = require("fs");
const { Workspace, PositionEncoding } = require("@astral-sh/ruff-wasm-nodejs");

const { settings, format, files } = JSON.parse(fs.readFileSync(0, "utf8"));
const everything = new Workspace(settings, PositionEncoding.Utf32);
const imports = new Workspace({ ...settings, lint: { ...settings.lint, select: ["I"] } }, PositionEncoding.Utf32);

function findings(text) {
  const found = everything.check(text).map(({ start_location: { row, column }, code, message }) =>
    `${row}:${column}: ${code ?? "invalid-syntax"} ${message}`);
  return found.length === 0 && everything.format(text) !== text ? ["1:1: not formatted: run `make format`"] : found;
}

// Places count characters, not UTF-16's units; the last edits first, so that places before them stay what they are.
function sorted(text) {
  const lines = text.split("\n").map((line) => Array.from(line + "\n"));
  const offset = ({ row, column }) => lines.slice(0, row - 1).flat().length + column - 1;
  const characters = lines.flat().slice(0, -1);
  const edits = imports.check(text).flatMap(({ fix }) => fix?.edits ?? []);
  for (const { content, location, end_location: end } of edits.reverse())
    characters.splice(offset(location), offset(end) - offset(location), ...Array.from(content ?? ""));
  return characters.join("");
}

for (const file of files) {
  const text = fs.readFileSync(file, "utf8");
  if (format) {
    const formatted = everything.format(sorted(text));
    if (formatted !== text)
      fs.writeFileSync(file, formatted);
    continue;
  }
  for (const finding of findings(text)) {
    console.log(`${file}:${finding}`);
    process.exitCode = 1;
  }
}
