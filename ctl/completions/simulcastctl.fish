# fish completion of simulcastctl
set -l commands inputs outputs add rm enable disable retry test watch completion
complete -c simulcastctl -f
complete -c simulcastctl -n "not __fish_seen_subcommand_from $commands" -a "$commands"
complete -c simulcastctl -n "__fish_seen_subcommand_from inputs" -a "add rm show"
complete -c simulcastctl -n "__fish_seen_subcommand_from completion" -a "bash zsh fish"
complete -c simulcastctl -n "__fish_seen_subcommand_from outputs add rm enable disable retry test watch" \
  -a "(simulcastctl inputs 2>/dev/null | string match -r '[0-9a-f]{32}')"
for option in url account
  complete -c simulcastctl -l $option -x
end
for option in config token-file ca-file
  complete -c simulcastctl -l $option -r -F
end
for option in insecure json show-keys help version
  complete -c simulcastctl -l $option
end
