//! Turns the command line, the manifests and Cargo's metadata into the plan.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::manifests;
use super::needs::OfImages;
use super::outputs::{formats, target, wants_auterion};
use super::request::Request;
use super::select::{Choice, select};
use super::service::{self, OfApp};
use super::template;
use super::{
    Builder, CanProbe, Format, Layout, Plan, agreement, auterion, base, checks, compilation, created, features, identity,
    libraries, licenses, names, needs, notes, one_image, probe, registries, revision, stacks, variant, volumes,
};
use crate::app::{Author, BaseChoice, ImageRef, Service};
use crate::archive::gzip::Level;
use crate::config::tables::CompressionName;
use crate::config::{Problems, Step};
use crate::diagnostic::Code;
use crate::workspace::Workspace;

/// The longest of the endings of bundles. With it a name that file systems take makes an artifact's name, `SLUG:VERSION`, of
/// fewer than the 256 bytes that it may have (`docs/file-format.md`, section 2.7).
const LONGEST_ENDING: &str = "-simulation.auterionos";

/// Resolves the plan for one target: the one in the request, or the only one in the table. `can_probe` is asked if a service has a
/// health check that needs a program in its image.
///
/// # Errors
/// [`Problems`] with every problem in all manifests, or the first file that cannot be read.
pub fn resolve(workspace: &Workspace, request: &Request, can_probe: CanProbe<'_>) -> Result<Plan> {
    let mut problems = Problems::default();
    let mut said = Vec::new();
    manifests::stray(workspace, &mut problems)?;
    let mut app = manifests::app(workspace, &mut problems)?;
    let (mut sources, all_read) = manifests::services(workspace, &mut problems)?;
    let variant = match all_read {
        true => variant::apply(request.variant.as_deref(), &mut app, &mut sources, &mut problems),
        false => None,
    };
    sources.extend(manifests::images(&app, workspace));
    if sources.is_empty() && problems.is_empty() {
        bail!(manifests::no_services(workspace));
    }
    let mut report = app.report(&mut problems);
    let name = identity::name(&app, variant.as_ref(), workspace, &mut report);
    let author = app.table.author.as_deref().map(Author::new);
    let author = author.and_then(|author| report.take(Code::InvalidName, &[Step::Key("author")], author));
    let version = identity::version(&app, &sources, request, &mut report);
    let target = target(&app, request, workspace, &mut report);
    let mut formats = formats(&app, request, &mut report);
    let has_index = request.among_others && formats.contains(&Format::Oci);
    if request.among_others {
        formats.retain(|format| *format != Format::Oci);
    }
    let epoch = created::resolve(&app, request, &workspace.root, &mut report);
    let allow = notes::allowed(&app.table.allow, &mut report);
    let registries = registries::resolve(&app, request, &mut report);
    let compilation = compilation::resolve(&app.table.build, &mut report);
    let base = app.table.base.as_ref().map(|table| base::resolve(table, &workspace.root));
    let base = base.and_then(|base| report.take(Code::InvalidBase, &[Step::Key("base")], base)).unwrap_or(BaseChoice::Auto);
    let auterion = match &target {
        Some(target) if wants_auterion(&formats, request) => {
            match auterion::resolve(&app.table.auterion, target, request.among_others) {
                Ok(auterion) => Some(auterion),
                Err(wrong) => {
                    for (key, why) in wrong {
                        report.wrong(Code::AuterionValue, &[Step::Key("auterion"), Step::Key(key)], why);
                    }
                    None
                }
            }
        }
        _ => None,
    };
    let (Some(name), Some(version)) = (name, version) else {
        problems.into_result()?;
        bail!("the app has no name or version");
    };
    if version.is_mapped() {
        let text = format!("version `{}` becomes `{}`: image tags cannot contain `+`", version.written, version.tag);
        said.push(Code::VersionMapped.note(text));
    }
    if let (Some(auterion), Some(target)) = (&auterion, &target)
        && auterion.device_types.is_empty()
    {
        let text = format!("no device in `target-platform` runs {}, so no `.auterionos` file is written for it", target.platform);
        said.push(Code::NoDevice.note(text));
        formats.retain(|format| *format != Format::Auterionos);
    }
    let template = template::of_workspace(&workspace.root, &version)?;

    let slug = match &author {
        Some(author) => format!("{}.{name}", author.as_str()),
        None => name.to_string(),
    };
    let length = slug.len() + 1 + version.tag.len() + LONGEST_ENDING.len();
    if length > 255 {
        let message = format!("the bundle's file name, `{slug}-{version}…`, would have {length} bytes; at most 255 are allowed");
        app.report(&mut problems).wrong(Code::InvalidName, &[Step::Key("name")], message);
    }
    let layout = app.table.layout.unwrap_or_default();
    let has_licenses = app.table.licenses && !request.in_development;
    let shared_image = (layout == Layout::MultiBinary).then(|| name.to_string());
    let made = if request.prepared { Vec::new() } else { compilation.outputs(&workspace.root) };
    let images = OfImages { tables: &app.table.services, folder: &workspace.root };
    let of_app = OfApp { shared_image, base: &base, workspace, images, made: &made };
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    for source in &sources {
        let Some(service_name) = service::name(source, &mut problems) else { continue };
        if let Some(other) = services.get(service_name.as_str()) {
            let package = other.package().map_or("", |package| package.package.as_str());
            let message = format!("two services are named `{service_name}`; the other one is in package `{package}`");
            source.report(&mut problems).wrong(Code::DuplicateService, source.name_place(), message);
            continue;
        }
        let own = template.as_ref().and_then(|template| template.services.get(service_name.as_str()));
        let image = match own {
            Some(Some(image)) => {
                ImageRef::parse(image).map_err(|e| Code::AppYml.error(format!("in `app.yml`, service `{service_name}`: {e}")))?
            }
            _ if layout == Layout::MultiBinary && source.member().is_some() => ImageRef::new(&slug, &version.tag),
            _ => ImageRef::new(&format!("{slug}.{service_name}"), &version.tag),
        };
        let mut report = source.report(&mut problems);
        let Some(image) = report.take(Code::InvalidName, source.name_place(), image.not_too_long()) else { continue };
        let Some(service) = service::resolve(source, service_name, image, &of_app, &mut problems, &mut said) else { continue };
        services.insert(service.name.to_string(), service);
    }
    // A service whose table is wrong in part is there all the same; of one that is not there, the others would say so in vain.
    let all_there = all_read && services.len() == sources.len();
    let all_right = problems.is_empty();
    if all_there {
        checks::dependencies(&sources, &services, template.as_ref(), &stacks::built_names(&app), &mut problems);
        match layout {
            Layout::ImagePerService => checks::images(&sources, &services, &mut problems),
            Layout::MultiBinary if all_right => one_image::check(&sources, &services, &mut problems),
            Layout::MultiBinary => {}
        }
        checks::bins(&sources, &services, &mut problems);
        agreement::check(&sources, &services, &mut problems);
        features::agreement(&sources, &mut problems);
        needs::check(&sources, &services, &mut problems);
        auterion::check_services(auterion.as_ref(), &sources, &mut problems);
        said.extend(services.values().filter_map(notes::of_health));
        names::check(&request.destinations, &app, &name, &sources, &services, &mut problems);
    }
    let volumes = if all_right { volumes::resolve(&app, &services, &mut problems) } else { BTreeMap::new() };
    let sorted = checks::launch_order(&sources, &services, &mut problems);
    let given = stacks::Given {
        app: &app,
        sources: &sources,
        name: &name,
        slug: &slug,
        version: &version,
        workspace,
        request,
        services: &services,
    };
    let stacks = all_there.then(|| stacks::resolve(given, &sorted, &mut problems));
    problems.into_result()?;
    let (Some(target), Some((stacks, swarm))) = (target, stacks) else { bail!("there is no target, or a service is missing") };
    let builder = request.builder.or(app.table.builder).unwrap_or_default();
    if let Some((major, minor)) = target.glibc
        && builder != Builder::Zigbuild
    {
        let message = format!(
            "the target `{}.{major}.{minor}` names a glibc version, which only zig can link against\nhelp: build with `--builder zigbuild`",
            target.triple
        );
        bail!(Code::TargetGlibc.error(message));
    }
    if let Some(template) = &template {
        checks::template(template, &services)?;
    }

    let base_places = base::places(&app, &base, &sources, &services);
    let choices: Vec<Choice<'_>> = services.values().map(Choice::of).collect();
    let wanted = select(&request.packages, &choices, request.reach)?;
    let ordered = sorted.into_iter().filter(|name| wanted.contains(name)).filter_map(|name| services.remove(&name));
    let mut services: Vec<Service> = ordered.collect();
    if let Some(tag) = &request.image_tag {
        services.iter_mut().for_each(|service| service.container.image = service.container.image.tagged(tag));
    }
    let compression = request.compression.unwrap_or(match app.table.compression {
        Some(CompressionName::Fast) => Level::Fast,
        Some(CompressionName::Best) => Level::Best,
        Some(CompressionName::Default) | None => Level::Default,
    });
    let mut bundles = request.output.clone().unwrap_or_else(|| workspace.target_dir.join("appbundle"));
    let index = has_index.then(|| bundles.join(format!("{slug}-{version}.oci.tar")));
    // Bundles stand beside those of other variants, under their own names; all else of a variant has one name in each.
    let mut output = variant.iter().fold(bundles.clone(), |folder, variant| folder.join("variants").join(variant.name.as_str()));
    if request.among_others {
        bundles.push(target.folder());
        output.push(target.folder());
    }
    services.iter_mut().for_each(|service| stacks::give(service, &output));
    services.iter_mut().for_each(|service| libraries::give(service, &output, &request.sonames));
    if has_licenses {
        services.iter_mut().for_each(|service| licenses::give(service, &output));
    }
    probe::give(&mut services, &output, &target.triple, can_probe);
    let settings_path = workspace.root.join("settings.default.env");
    let settings = if settings_path.is_file() { fs_err::read(settings_path)? } else { Vec::new() };
    Ok(Plan {
        name,
        author,
        version,
        target,
        profile: request.profile.clone(),
        services,
        formats,
        auterion,
        volumes,
        stacks,
        swarm,
        engine: request.engine.or(app.table.engine).unwrap_or_default(),
        builder,
        compilation,
        layout,
        registries,
        compression,
        sbom: app.table.sbom.unwrap_or(true),
        licenses: has_licenses,
        revision: revision::resolve(&app, workspace, &mut said),
        epoch,
        template: template.map(|template| template.text),
        settings,
        workspace: workspace.root.clone(),
        variant: variant.map(|variant| variant.name),
        bundles,
        output,
        index,
        notes: said,
        base_places,
        allow,
    })
}
