# Completion of postern's command lines in bash. postern itself says what fits: see its command "complete".
# shellcheck shell=bash

_postern() {
    local -a answer
    local program=${1:-${COMP_WORDS[0]}} typed=${COMP_WORDS[COMP_CWORD]}
    mapfile -t answer < <("${program/#\~/$HOME}" complete bash --breaks "$COMP_WORDBREAKS" -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    COMPREPLY=("${answer[@]:1}")
    case ${answer[0]-} in
        open) compopt -o nospace 2>/dev/null ;;
        files | folders)
            [ "$typed" != "=" ] || typed=
            compopt -o filenames 2>/dev/null
            if [ "${answer[0]}" = folders ]; then
                mapfile -t COMPREPLY < <(compgen -d -- "$typed")
            else
                mapfile -t COMPREPLY < <(compgen -f -- "$typed")
            fi
            ;;
    esac
}

complete -F _postern postern
