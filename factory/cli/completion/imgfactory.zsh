#compdef imgfactory
# Completion of imgfactory for zsh: the program itself tells what fits.
_imgfactory() {
    local line kind value
    local -a lines values texts
    lines=("${(@f)$("${(Q)words[1]/#\~/$HOME}" completion words -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    kind=$lines[1]
    for line in "${(@)lines[2,-1]}"; do
        value=${line%%$'\t'*}
        values+=("$value")
        texts+=("$value  ${line#*$'\t'}")
    done
    (($#values)) && compadd -l -d texts -- "${values[@]}"
    case $kind in
    files) _files ;;
    folders) _files -/ ;;
    esac
}
if [[ $funcstack[1] == _imgfactory ]]; then
    _imgfactory "$@"
else
    compdef _imgfactory imgfactory
fi
