
# Completes `cargo appbundle ...` like `cargo-appbundle ...`.
complete -c cargo -n "__fish_seen_subcommand_from appbundle" -f -a "(complete -C (string replace -r '.*?\bappbundle\b' cargo-appbundle -- (commandline -cp)))"
