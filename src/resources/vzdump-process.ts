/**
 * awk functions, with ROOT exported: `number(HEX)`, and `process(UPID)`, the state letter of the process of a task, or "" when it does
 * not run. It runs while there is a process with the number AND the start time of its UPID: a number alone may be somebody else's by now.
 * In a directory tree no task runs. awk has no hexadecimal numbers in every flavour.
 */
export const processOfTask = String.raw`function number(hex,  i, n) {
  n = 0
  for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789ABCDEF", toupper(substr(hex, i, 1))) - 1
  return n
}
function process(upid,  part, file, line, word) {
  if (ENVIRON["ROOT"] != "") return ""
  split(upid, part, ":")
  file = "/proc/" number(part[3]) "/stat"
  line = ""
  getline line < file
  close(file)
  if (line == "") return ""
  sub(/^.*\) /, "", line)
  split(line, word, " ")
  return word[20] == number(part[4]) ? word[1] : ""
}`;
