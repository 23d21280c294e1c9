#compdef heal-node
# zsh completion for heal-node: put this into a directory of $fpath as _heal-node, or eval "$(heal-node completion zsh)" after compinit
_heal_node() {
  local command=- of word what
  local -a found
  if (( CURRENT > 2 )); then command=$words[2]; fi
  while IFS=$'\t' read -r of word what; do
    if [[ $of == $command ]]; then found+=("$word:$what"); fi
  done <<'ROWS'
@ROWS@
ROWS
  _describe heal-node found || _files
}
if [[ $funcstack[1] == _heal-node ]]; then _heal_node "$@"; else compdef _heal_node heal-node; fi
