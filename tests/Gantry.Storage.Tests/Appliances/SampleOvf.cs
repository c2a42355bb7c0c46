namespace Gantry.Storage.Tests.Appliances;

/// <summary>Descriptors in the forms of VMware's and VirtualBox' writers, cut to what matters.</summary>
internal static class SampleOvf
{
    public const string VMware = """
        <?xml version="1.0" encoding="UTF-8"?>
        <Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
          xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
          xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
          xmlns:vmw="http://www.vmware.com/schema/ovf">
          <References><File ovf:href="web-disk1.vmdk" ovf:id="file1"/></References>
          <DiskSection><Info>Disks</Info>
            <Disk ovf:capacity="1" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="vmdisk1" ovf:fileRef="file1"
              ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
            <Disk ovf:capacity="20" ovf:capacityAllocationUnits="byte * 2^20" ovf:diskId="vmdisk2"/>
          </DiskSection>
          <NetworkSection><Info/><Network ovf:name="VM Network"/></NetworkSection>
          <DeploymentOptionSection><Info/>
            <Configuration ovf:id="small"/><Configuration ovf:id="large" ovf:default="true"/>
          </DeploymentOptionSection>
          <VirtualSystem ovf:id="web"><Info>A machine</Info><Name>Web Server</Name>
            <OperatingSystemSection ovf:id="96" vmw:osType="debian10_64Guest"><Info/></OperatingSystemSection>
            <VirtualHardwareSection><Info/>
              <Item ovf:configuration="small"><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType>
                <rasd:VirtualQuantity>2</rasd:VirtualQuantity></Item>
              <Item ovf:configuration="large"><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType>
                <rasd:VirtualQuantity>8</rasd:VirtualQuantity><vmw:CoresPerSocket ovf:required="false">4</vmw:CoresPerSocket></Item>
              <Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits><rasd:InstanceID>2</rasd:InstanceID>
                <rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>2048</rasd:VirtualQuantity></Item>
              <Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceSubType>VirtualSCSI</rasd:ResourceSubType>
                <rasd:ElementName>SCSI controller 0</rasd:ElementName><rasd:ResourceType>6</rasd:ResourceType></Item>
              <Item><rasd:AddressOnParent>1</rasd:AddressOnParent><rasd:ElementName>Hard disk 2</rasd:ElementName>
                <rasd:HostResource>ovf:/disk/vmdisk2</rasd:HostResource><rasd:InstanceID>9</rasd:InstanceID><rasd:Parent>3</rasd:Parent>
                <rasd:ResourceType>17</rasd:ResourceType></Item>
              <Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:ElementName>Hard disk 1</rasd:ElementName>
                <rasd:HostResource>ovf:/disk/vmdisk1</rasd:HostResource><rasd:InstanceID>8</rasd:InstanceID><rasd:Parent>3</rasd:Parent>
                <rasd:ResourceType>17</rasd:ResourceType></Item>
              <Item><rasd:Connection>VM Network</rasd:Connection><rasd:ElementName>Network adapter 1</rasd:ElementName>
                <rasd:InstanceID>10</rasd:InstanceID><rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType><rasd:ResourceType>10</rasd:ResourceType></Item>
              <Item ovf:required="false"><rasd:ElementName>vmci</rasd:ElementName><rasd:InstanceID>11</rasd:InstanceID>
                <rasd:ResourceSubType>vmware.vmci</rasd:ResourceSubType><rasd:ResourceType>1</rasd:ResourceType></Item>
              <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="efi"/>
            </VirtualHardwareSection>
            <AnnotationSection><Info/><Annotation>Serves pages</Annotation></AnnotationSection>
          </VirtualSystem>
        </Envelope>
        """;

    public const string VirtualBox = """
        <?xml version="1.0"?>
        <Envelope ovf:version="1.0" xml:lang="en-US" xmlns="http://schemas.dmtf.org/ovf/envelope/1"
          xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
          xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
          xmlns:vbox="http://www.virtualbox.org/ovf/machine">
          <References><File ovf:id="file1" ovf:href="box-disk001.vmdk"/><File ovf:id="file2" ovf:href="box-disk002.iso"/></References>
          <DiskSection><Info>List of the virtual disks used in the package</Info>
            <Disk ovf:capacity="21474836480" ovf:diskId="vmdisk1" ovf:fileRef="file1" vbox:uuid="5c"/>
          </DiskSection>
          <VirtualSystem ovf:id="box"><Info>A virtual machine</Info>
            <OperatingSystemSection ovf:id="80"><Info/><Description>Windows10_64</Description>
              <vbox:OSType ovf:required="false">Windows10_64</vbox:OSType></OperatingSystemSection>
            <VirtualHardwareSection><Info/>
              <Item><rasd:Caption>1 virtual CPU</rasd:Caption><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType>
                <rasd:VirtualQuantity>1</rasd:VirtualQuantity></Item>
              <Item><rasd:AllocationUnits>MegaBytes</rasd:AllocationUnits><rasd:InstanceID>2</rasd:InstanceID>
                <rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>512</rasd:VirtualQuantity></Item>
              <Item><rasd:Address>0</rasd:Address><rasd:Caption>sataController0</rasd:Caption><rasd:InstanceID>5</rasd:InstanceID>
                <rasd:ResourceSubType>AHCI</rasd:ResourceSubType><rasd:ResourceType>20</rasd:ResourceType></Item>
              <Item><rasd:Address>0</rasd:Address><rasd:Caption>ideController0</rasd:Caption><rasd:InstanceID>3</rasd:InstanceID>
                <rasd:ResourceSubType>PIIX4</rasd:ResourceSubType><rasd:ResourceType>5</rasd:ResourceType></Item>
              <Item><rasd:Caption>usb</rasd:Caption><rasd:InstanceID>6</rasd:InstanceID><rasd:ResourceType>23</rasd:ResourceType></Item>
              <Item><rasd:Caption>sound</rasd:Caption><rasd:InstanceID>7</rasd:InstanceID><rasd:ResourceSubType>ensoniq1371</rasd:ResourceSubType>
                <rasd:ResourceType>35</rasd:ResourceType></Item>
              <Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:Caption>disk1</rasd:Caption>
                <rasd:HostResource>/disk/vmdisk1</rasd:HostResource><rasd:InstanceID>8</rasd:InstanceID><rasd:Parent>5</rasd:Parent>
                <rasd:ResourceType>17</rasd:ResourceType></Item>
              <Item><rasd:AddressOnParent>0</rasd:AddressOnParent><rasd:Caption>cdrom1</rasd:Caption>
                <rasd:HostResource>/file/file2</rasd:HostResource><rasd:InstanceID>9</rasd:InstanceID><rasd:Parent>3</rasd:Parent>
                <rasd:ResourceType>15</rasd:ResourceType></Item>
              <Item><rasd:Caption>Ethernet adapter on 'NAT'</rasd:Caption><rasd:Connection>NAT</rasd:Connection>
                <rasd:InstanceID>10</rasd:InstanceID><rasd:ResourceSubType>E1000</rasd:ResourceSubType><rasd:ResourceType>10</rasd:ResourceType></Item>
            </VirtualHardwareSection>
            <vbox:Machine ovf:required="false" version="1.16-linux" name="box" OSType="Windows10_64">
              <Hardware><Memory RAMSize="512"/><Firmware type="EFI"/><TrustedPlatformModule type="v2_0"/></Hardware>
            </vbox:Machine>
          </VirtualSystem>
        </Envelope>
        """;
}
