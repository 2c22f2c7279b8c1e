#compdef simulcastctl
# zsh completion of simulcastctl
_simulcastctl_inputs() { compadd -- $(simulcastctl inputs 2>/dev/null | grep -oE '\b[0-9a-f]{32}\b') }
_simulcastctl_outputs() { compadd -- $(simulcastctl outputs "$words[2]" 2>/dev/null | grep -oE '\b[0-9a-f]{32}\b') }
_simulcastctl() {
  local -a commands=(
    'inputs:list the live inputs, add, show or remove one' 'outputs:list the outputs of a live input' 'add:create an output'
    'rm:delete an output' 'enable:switch an output on' 'disable:switch an output off' 'retry:try an output again now'
    'test:would a destination take the stream?' 'watch:show states and figures until Ctrl-C' 'completion:print the completion for a shell'
  )
  _arguments -C '--url[where the API is]:url:' '--config[configuration file of the daemon]:file:_files' \
    '--token-file[file with an API token]:file:_files' '--account[the account]:id:' '--ca-file[authorities to trust]:file:_files' \
    '--insecure[do not check the certificate]' '--json[print JSON]' '--show-keys[print stream keys]' '--help' '--version' \
    '1: :->command' '*:: :->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
        completion) compadd bash zsh fish ;;
        inputs) if ((CURRENT == 2)); then compadd add rm show; else _simulcastctl_inputs; fi ;;
        rm | enable | disable | retry | test) if ((CURRENT == 2)); then _simulcastctl_inputs; else _simulcastctl_outputs; fi ;;
        *) _simulcastctl_inputs ;;
      esac
      ;;
  esac
}
_simulcastctl "$@"
