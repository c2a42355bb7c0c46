#cloud-config
autoinstall:
  version: 1
  identity: {hostname: ${hostname}}
  packages:
%{ for package in packages ~}
    - ${package}
%{ endfor ~}
%{ if length(keys) > 0 ~}
  ssh:
    authorized-keys:
%{ for user, key in keys ~}
      - ${jsonencode(key)} # ${user}
%{ endfor ~}
%{ endif ~}
