
# Completes `cargo appbundle ...` like `cargo-appbundle ...`, and everything else with Cargo's own completion, `_cargo`.
_cargo_with_appbundle() {
    local at=1
    [[ ${COMP_WORDS[1]} == +* ]] && at=2
    if ((COMP_CWORD > at)) && [[ ${COMP_WORDS[at]} == appbundle ]]; then
        local words=("${COMP_WORDS[@]:at+1}")
        COMP_WORDS=(cargo-appbundle "${words[@]}")
        COMP_CWORD=$((COMP_CWORD - at))
        _cargo-appbundle cargo-appbundle "$2" "$3"
        return
    fi
    if ! declare -F _cargo >/dev/null; then
        # bash-completion loads `_cargo` on first use, and registers it as the completion for `cargo`.
        if declare -F _comp_load >/dev/null; then
            _comp_load cargo
        elif declare -F __load_completion >/dev/null; then
            __load_completion cargo
        fi
        complete -F _cargo_with_appbundle -o nosort -o bashdefault -o default cargo
    fi
    if declare -F _cargo >/dev/null; then
        _cargo "$@"
    elif ((COMP_CWORD == at)); then
        mapfile -t COMPREPLY < <(compgen -W appbundle -- "$2")
    fi
}

complete -F _cargo_with_appbundle -o nosort -o bashdefault -o default cargo
