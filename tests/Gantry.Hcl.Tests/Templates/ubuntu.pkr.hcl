# A server installed by autoinstall over HTTP.
packer {
  required_version = ">= 1.7.0"
  required_plugins {
    qemu = {
      version = "~> 1"
      source  = "github.com/hashicorp/qemu"
    }
  }
}

variable "vm_name" {
  type    = string
  default = "ubuntu"
}

variable "release" {
  type        = string
  default     = "24.04.1"
  description = "Which point release to install."

  validation {
    condition     = can(regex("^[0-9]{2}\\.[0-9]{2}(\\.[0-9]+)?$", var.release))
    error_message = "A release looks like 24.04 or 24.04.1."
  }
}

variable "disks" {
  type = list(object({
    size   = string
    format = optional(string, "qcow2")
  }))
  default = [{ size = "20G" }, { size = "5G", format = "raw" }]
}

variable "ssh_password" {
  type      = string
  default   = "ubuntu"
  sensitive = true
}

variable "headless" {
  type    = bool
  default = true
}

locals {
  iso_base   = "https://releases.example.org/${local.short}"
  iso_name   = "ubuntu-${var.release}-live-server-amd64.iso"
  short      = join(".", slice(split(".", var.release), 0, 2))
  build_date = formatdate("YYYYMMDD-hhmm", timestamp())
  name       = lower("${var.vm_name}-${local.short}-${local.build_date}")
  user_data = templatefile("http/user-data.tpl", {
    hostname = var.vm_name
    packages = ["qemu-guest-agent", "curl"]
    keys     = { admin = "ssh-ed25519 AAAA admin", ops = "ssh-ed25519 BBBB ops" }
  })
  tags = merge({ os = "linux", release = var.release }, var.headless ? { headless = "yes" } : {}, {
    for index, disk in var.disks : format("disk%02d", index) => "${disk.size}/${disk.format}"
  })
}

source "qemu" "ubuntu" {
  vm_name          = local.name
  iso_url          = "${local.iso_base}/${local.iso_name}"
  iso_checksum     = "file:${local.iso_base}/SHA256SUMS"
  disk_size        = var.disks[0].size
  disk_additional_size = [for disk in slice(var.disks, 1, length(var.disks)) : disk.size]
  memory           = 2 * 1024
  headless         = var.headless
  http_content = {
    "/user-data" = local.user_data
    "/meta-data" = yamlencode({ instance-id = local.name, local-hostname = var.vm_name })
  }
  boot_wait = "5s"
  boot_command = [
    "c<wait>",
    "linux /casper/vmlinuz --- autoinstall ds='nocloud-net;s=http://{{ .HTTPIP }}:{{ .HTTPPort }}/' ",
    "<enter><wait>",
    "boot<enter>",
  ]
  qemuargs = concat([["-cpu", "max"]], [for i in range(2) : ["-device", "virtio-rng-pci,id=rng${i}"]])
  ssh_username = "ubuntu"
  ssh_password = var.ssh_password
  shutdown_command = "echo '${var.ssh_password}' | sudo -S shutdown -P now"
}

build {
  name    = "server"
  sources = ["source.qemu.ubuntu"]

  provisioner "shell" {
    inline = [
      "while [ ! -f /var/lib/cloud/instance/boot-finished ]; do sleep 1; done",
      "echo ${build.ID} on ${source.name}",
    ]
    environment_vars = [for key, value in local.tags : "TAG_${upper(key)}=${value}"]
    execute_command  = "{{ .Vars }} sudo -E bash '{{ .Path }}'"
    override = {
      ubuntu = {
        pause_before = "5s"
      }
    }
  }

  post-processors {
    post-processor "manifest" { output = "manifest.json" }
    post-processor "checksum" {
      checksum_types = ["sha256"]
      output         = "{{.BuildName}}.{{.ChecksumType}}"
    }
  }
}
