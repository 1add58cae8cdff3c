//! What users write of files in images.

use schemars::JsonSchema;
use serde::Deserialize;

/// What to add to an image: files (`from` and `to`), a link (`link` and `to`), or a folder (`folder`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct FileTable {
    /// A file, a folder, or a pattern with `*`, `**`, `?`, `[...]` or `{a,b}`, relative to the manifest.
    pub from: Option<String>,
    /// Instead of `from`: the absolute path of a symbolic link in the image.
    pub link: Option<String>,
    /// Instead of `from`: the absolute path of a folder in the image. It may be empty, as for what the service writes.
    pub folder: Option<String>,
    /// An absolute path in the image: of `from`, the file's, or the folder's if it ends in `/` or `from` is a pattern; of `link`, what
    /// it leads to.
    pub to: Option<String>,
    /// The permission bits in octal, such as `"0640"`. Default: `0644`, or `0755` for folders and for files that are executable here.
    pub mode: Option<String>,
    /// The owner as `UID` or `UID:GID`; the group of `UID` alone has the same number. Default: `0:0`, root. Folders around a file
    /// belong to root unless `folder` names them.
    pub owner: Option<String>,
    /// What of `from` is left out: names wherever they stand (`*.map`, `node_modules`), or paths and patterns relative to the
    /// manifest (`web/drafts/**`). Of a folder that is left out, everything is.
    pub exclude: Vec<String>,
    /// Whether files and folders whose names begin with a dot are packed, too. Without it, a pattern packs those that it names with
    /// their dot (`web/.well-known/**`), and a note says which were left out.
    pub dotfiles: Option<bool>,
}
