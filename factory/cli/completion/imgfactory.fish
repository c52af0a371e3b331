# Completion of imgfactory for fish: the program itself tells what fits.
function __imgfactory_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l lines (command $words[1] completion words -- $words[2..-1] "$last" 2>/dev/null)
    string join \n -- $lines[2..-1]
    switch "$lines[1]"
        case files
            __fish_complete_path "$last"
        case folders
            __fish_complete_directories "$last"
    end
end
complete -c imgfactory -f -a '(__imgfactory_complete)'
