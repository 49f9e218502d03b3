# How the gate's awk programs read files, and how they answer.

# Returns the whole file, or an empty text if there is none. The file is read in one piece, up to a character
# that no file here contains: to join a file of many lines line by line would take hours.
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
