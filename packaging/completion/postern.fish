# Completion of postern's command lines in fish. postern itself says what fits: see its command "complete".

function __postern_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l typed (commandline -ct)
    set -l answer ($program complete fish -- $words "$typed" 2>/dev/null)
    set -l kind $answer[1]
    set -e answer[1]
    switch "$kind"
        case words open
            printf '%s\n' $answer
        case files folders
            # What stands before the file's name: "--output=" or nothing.
            set -l before "$answer[1]"
            set -l name (string sub --start (math (string length -- "$before") + 1) -- "$typed")
            if test "$kind" = folders
                set answer (__fish_complete_directories "$name")
            else
                set answer (__fish_complete_path "$name")
            end
            for each in $answer
                printf '%s%s\n' "$before" "$each"
            end
    end
end

complete -c postern -f -a '(__postern_complete)'
