// ruff where there is none on the PATH: Debian 12 has no package of it, npm has it as WebAssembly. From standard input
// {settings, format, files}; prints what it finds as ruff does, a line each. `format`: writes the files formatted instead.
const fs = require("fs");
const { Workspace, PositionEncoding } = require("@astral-sh/ruff-wasm-nodejs");

function check(workspace, file, text) {
  const lines = workspace.check(text).map(({ start_location: { row, column }, code, message }) =>
    `${file}:${row}:${column}: ${code ?? "invalid-syntax"} ${message}`);
  if (lines.length === 0 && workspace.format(text) !== text)
    lines.push(`${file}:1:1: not formatted: run \`make format\``);
  return lines;
}

const { settings, format, files } = JSON.parse(fs.readFileSync(0, "utf8"));
const workspace = new Workspace(settings, PositionEncoding.Utf32);
for (const file of files) {
  const text = fs.readFileSync(file, "utf8");
  if (!format)
    for (const line of check(workspace, file, text)) {
      console.log(line);
      process.exitCode = 1;
    }
  else if (workspace.format(text) !== text)
    fs.writeFileSync(file, workspace.format(text));
}
