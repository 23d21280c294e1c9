# fish completion for heal-node: put this into ~/.config/fish/completions/heal-node.fish
function __heal_node_words
    set -l tokens (commandline -opc)
    set -l command -
    if test (count $tokens) -gt 1
        set command $tokens[2]
    end
    printf '%s\n' '@ROWS@' | while read -l -d \t of word what
        if test "$of" = "$command"
            printf '%s\t%s\n' $word $what
        end
    end
end
complete -c heal-node -f -a '(__heal_node_words)'
