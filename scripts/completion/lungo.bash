# bash completion for lungo: options, then scripts.
_lungo() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  case $prev in -e | -l | --maxprocs | --seed) return ;; esac
  if [[ $prev == --trace ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "-e -l -i -v -E -W --maxprocs --seed --race --leaks --trace --version --help" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -f -X '!*.lua' -- "$cur"; compgen -d -S / -- "$cur")
  fi
}
complete -o nospace -o filenames -F _lungo lungo
