# What the gate's awk programs read, and how they answer.

function slurp(path,   line, text) {
  while ((getline line < path) > 0) text = text line "\n"
  close(path)
  return text
}

function slurp_command(command,   line, text) {
  while ((command | getline line) > 0) text = text line "\n"
  close(command)
  return text
}

function say(text) {
  print text
  exit 0
}

function broken(why) {
  say("broken " why)
}
