# shellcheck shell=bash
# Completion of imgfactory for bash: the program itself tells what fits. Made for bash-completion, works without it.
# bash takes words apart at '=' and ':'; here they are put together again.
_imgfactory() {
    local rest=$COMP_LINE joined='' kind candidate word words=() i
    COMPREPLY=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i == 0)) || [[ $rest == [[:blank:]]* ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
        rest=${rest#*"$word"}
    done
    joined=${words[${#words[@]} - 1]}
    word=${COMP_WORDS[COMP_CWORD]}
    [[ $word == [=:] ]] && word=''
    while IFS=$'\t' read -r candidate _; do
        if [[ -z $kind ]]; then
            kind=$candidate
        else
            COMPREPLY+=("${candidate:${#joined} - ${#word}}")
        fi
    done < <("${words[0]/#\~/$HOME}" completion words -- "${words[@]:1}" 2>/dev/null)
    if [[ $kind == files || $kind == folders ]] && ((!${#COMPREPLY[@]})) || [[ $word == */* ]]; then
        local how=-f
        [[ $kind == folders ]] && how=-d
        while IFS= read -r candidate; do
            COMPREPLY+=("$candidate")
        done < <(compgen "$how" -- "$word")
        compopt -o filenames 2>/dev/null
    fi
    return 0
}
complete -F _imgfactory imgfactory
