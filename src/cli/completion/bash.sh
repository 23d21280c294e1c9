# bash completion for heal-node: eval "$(heal-node completion bash)", or put this into /usr/share/bash-completion/completions/heal-node
_heal_node() {
  local command=- of word what
  if ((COMP_CWORD > 1)); then command=${COMP_WORDS[1]}; fi
  COMPREPLY=()
  while IFS=$'\t' read -r of word what; do
    if [[ $of == "$command" && $word == "${COMP_WORDS[COMP_CWORD]}"* ]]; then COMPREPLY+=("$word"); fi
  done <<'ROWS'
@ROWS@
ROWS
}
complete -o default -F _heal_node heal-node
