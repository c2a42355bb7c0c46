variable "mirror" {
  type    = object({ host = string, directory = optional(string, "/debian") })
  default = { host = "deb.example.org" }
}

variable "locales" {
  type    = set(string)
  default = ["en_GB.UTF-8", "de_DE.UTF-8", "en_GB.UTF-8"]
}

variable "proxy" {
  type    = string
  default = null
}

local "root_password" {
  expression = "$6$salt$" == "" ? "" : substr(sha512("secret"), 0, 16)
  sensitive  = true
}

locals {
  preseed = <<-EOF
    d-i mirror/http/hostname string ${var.mirror.host}
    d-i mirror/http/directory string ${var.mirror.directory}
    %{ if var.proxy != null ~}
    d-i mirror/http/proxy string ${var.proxy}
    %{ endif ~}

    d-i localechooser/supported-locales multiselect ${join(", ", sort(var.locales))}
    d-i passwd/root-password-crypted password ${local.root_password}
      d-i preseed/late_command string \
        in-target sh -c 'echo "$${HOME} 100%" > /etc/motd'
  EOF

  script = <<EOT
#!/bin/sh
set -eu
	for f in $(ls); do echo "$${f%%.*}"; done
EOT
}

source "null" "debian" {
  communicator = "none"
}

build {
  dynamic "source" {
    for_each = ["a"]
    content {}
  }
  source "source.null.debian" {
    name = "renamed"
  }
  provisioner "shell-local" {
    inline = ["cat <<'X'\n${local.preseed}\nX"]
    only   = ["null.renamed"]
  }
}
