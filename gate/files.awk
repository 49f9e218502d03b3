# What the gate's awk programs read, and how they answer.

# The whole of a file; nothing if there is none. It is read in one piece, up to a character that is in no
# file of ours: put together from lines, a file of many would take hours.
function slurp(path,   piece, text, before) {
  before = RS
  RS = "\001"
  while ((getline piece < path) > 0) text = text (text == "" ? "" : "\001") piece
  close(path)
  RS = before
  return text
}

function slurp_command(command,   piece, text, before) {
  before = RS
  RS = "\001"
  while ((command | getline piece) > 0) text = text (text == "" ? "" : "\001") piece
  close(command)
  RS = before
  return text
}

function finish(text) {
  print text
  exit 0
}

function fail(why) {
  finish("failed " why)
}
