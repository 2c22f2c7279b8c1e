# bash completion of simulcastctl
_simulcastctl() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word command="" input=""
  local commands="inputs outputs add rm enable disable retry test watch completion"
  local options="--url --config --token-file --account --ca-file --insecure --json --show-keys --help --version"
  case $previous in
    --config | --token-file | --ca-file)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --url | --account | --name) return ;;
  esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] && continue
    if [[ -z $command ]]; then command=$word; elif [[ -z $input ]]; then input=$word; fi
  done
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
  elif [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
  elif [[ $command == completion ]]; then
    mapfile -t COMPREPLY < <(compgen -W "bash zsh fish" -- "$current")
  elif [[ $command == inputs && -z $input ]]; then
    mapfile -t COMPREPLY < <(compgen -W "add rm show" -- "$current")
  elif [[ -z $input || $command == inputs ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(simulcastctl inputs 2>/dev/null | grep -oE '\b[0-9a-f]{32}\b')" -- "$current")
  elif [[ $command =~ ^(rm|enable|disable|retry|test)$ ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(simulcastctl outputs "$input" 2>/dev/null | grep -oE '\b[0-9a-f]{32}\b')" -- "$current")
  fi
}
complete -F _simulcastctl simulcastctl
